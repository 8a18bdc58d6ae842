import type { Application } from 'express';

/** What is used here of the router that Express gives each application; its declaration leaves `match` out. */
interface Layer {
  match(path: string): unknown;
}
interface MatchingRouter {
  readonly stack: Layer[];
  route(path: unknown): unknown;
}

/** From here on, a path is no longer literal. */
const PATTERN = /[:*{}()[\]?+!\\]/;

/**
 * Has every route that is added from now on compare the literal beginning of its path before its pattern. Express asks all of them in turn, and with some
 * 150 routes the patterns took a fifteenth of what reading a project costs; which route matches is still up to its pattern.
 */
export function compareBeginningsFirst(app: Application): void {
  const router = app.router as unknown as MatchingRouter;
  const lowered = remembered((path) => path.toLowerCase());
  const route = router.route.bind(router);
  router.route = (path) => {
    const made = route(path);
    const layer = router.stack.at(-1);
    if (layer === undefined || typeof path !== 'string') return made;
    const beginning = beginningOf(path);
    const match = layer.match.bind(layer);
    layer.match = (given) => lowered(given).startsWith(beginning) && match(given);
    return made;
  };
}

/** Patterns do not mind case, nor a slash at the end. */
function beginningOf(path: string): string {
  return (path.split(PATTERN, 1)[0] ?? '').replace(/\/+$/, '').toLowerCase();
}

/** The same path comes once for each route. */
function remembered(change: (text: string) => string): (text: string) => string {
  let last = { text: '', changed: change('') };
  return (text) => {
    if (last.text !== text) last = { text, changed: change(text) };
    return last.changed;
  };
}
