// Reads and validates what a visitor wrote.

const LARGEST_BODY = 16 * 1024;
export const LIMITS = { name: 60, message: 500 };

class BadRequest extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The fields of a submitted form. */
export async function readForm(request) {
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('application/x-www-form-urlencoded')) throw new BadRequest(415, 'The form must be sent as a form.');
  let body = '';
  request.setEncoding('utf8');
  for await (const chunk of request) {
    body += chunk;
    if (body.length > LARGEST_BODY) throw new BadRequest(413, 'That is more than fits into the book.');
  }
  const fields = new URLSearchParams(body);
  return { name: fields.get('name') ?? '', message: fields.get('message') ?? '' };
}

/** Tidies the fields into an entry, and says what is wrong with them. */
export function validateEntry(fields) {
  const name = tidy(fields.name).replace(/\s+/g, ' ');
  const message = tidy(fields.message).replace(/\n{3,}/g, '\n\n');
  const faults = [...faultsOf('name', 'Your name', name), ...faultsOf('message', 'Your message', message)];
  return { entry: { name, message }, faults };
}

/** Without control characters, and without the ones that turn the direction of text. */
function tidy(text) {
  return text
    .replaceAll('\r\n', '\n')
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '')
    .trim();
}

function faultsOf(field, label, value) {
  if (value === '') return [{ field, message: `${label} is missing.` }];
  const length = [...value].length;
  if (length > LIMITS[field]) return [{ field, message: `${label} has ${length} characters; at most ${LIMITS[field]} fit.` }];
  return [];
}
