import { type Document, isMap, isNode, isPair, isScalar, isSeq, type Node } from 'yaml';

/**
 * Where the part of a document that a dotted path (`components.web.needs[0]`) names begins. A part that is missing is
 * placed at the key of the nearest part above it; undefined when not even the first key exists.
 */
export function locate(document: Document, path: string): number | undefined {
  const keys = path.split(/[.[\]]+/).filter((key) => key !== '');
  let node: unknown = document.contents;
  let offset = keys.length === 0 ? startOf(node) : undefined;
  for (const key of keys) {
    const step: { next: unknown; offset: number | undefined } | undefined = descend(node, key);
    if (step === undefined) return offset;
    node = step.next;
    offset = step.offset ?? offset;
  }
  return offset;
}

function descend(node: unknown, key: string): { next: unknown; offset: number | undefined } | undefined {
  if (isMap(node)) {
    const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === key);
    return pair === undefined ? undefined : { next: pair.value, offset: startOf(pair.key) };
  }
  if (isSeq(node)) {
    const item = node.items[Number(key)];
    return item === undefined ? undefined : { next: item, offset: startOf(item) };
  }
  return undefined;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined;
}
