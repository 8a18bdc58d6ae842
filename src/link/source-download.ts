import { createWriteStream } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { DomainError } from '../common/domain-error.js';

const LARGEST_ARCHIVE = 1024 ** 3;

/** Gets source archives of this node's allocations from the control plane, with the node's own credential. */
export function sourceDownloader(serverUrl: string, credential: string) {
  return async (digest: string, target: string, signal: AbortSignal): Promise<void> => {
    const url = new URL(`/api/v1/node/sources/${encodeURIComponent(digest)}`, serverUrl);
    const response = await get(url, credential, signal);
    if (response.statusCode !== 200) {
      response.resume();
      throw new DomainError(
        'unavailable',
        'SOURCE_UNAVAILABLE',
        `The control plane answered ${String(response.statusCode)} for the source ${digest}.`,
        {
          fix: 'Deploy again, which uploads the source again.',
        },
      );
    }
    let size = 0;
    await pipeline(
      response,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          size += chunk.length;
          if (size > LARGEST_ARCHIVE)
            throw new DomainError('invalid', 'SOURCE_TOO_LARGE', `The source ${digest} is larger than ${LARGEST_ARCHIVE} bytes.`);
          yield chunk;
        }
      },
      createWriteStream(target, { mode: 0o600 }),
      { signal },
    );
  };
}

function get(url: URL, credential: string, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    request(url, { headers: { authorization: `Bearer ${credential}` }, signal }, resolve)
      .on('error', reject)
      .end();
  });
}
