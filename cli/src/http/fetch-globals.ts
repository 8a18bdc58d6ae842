/** Injected by `cli/build.mjs` in the place of the globals of these names. */
export { LightHeaders as Headers, LightRequest as Request, lightFetch as fetch } from './light-fetch.js';

/** Nothing is ever sent as a form. */
export class FormData {
  readonly isEmpty = true;
}
