/** Asks the API; undefined when nobody answers in time or the answer is no JSON. */
export async function ask(url, { timeout = 2_000 } = {}) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeout), headers: { accept: 'application/json' } });
    return { status: response.status, body: await response.json() };
  } catch {
    return undefined;
  }
}
