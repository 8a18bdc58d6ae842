/**
 * What the browser shows when nobody waits for it: the code to copy, or what went wrong. Plain HTML without scripts, so that the
 * strict content security policy of the API needs no exception.
 */
export function callbackPage(content: { title: string; text: string; code?: string }): string {
  const code = content.code === undefined ? '' : `<p><code style="font-size:1.2rem;user-select:all">${escaped(content.code)}</code></p>`;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(content.title)} · Hithe</title></head>
<body style="font-family:system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;line-height:1.5">
<h1 style="font-size:1.4rem">${escaped(content.title)}</h1>
<p>${escaped(content.text)}</p>
${code}
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
