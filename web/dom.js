// What the scripts of the page share. Whatever comes from a text or from the model is set as text, never as HTML.

export const $ = (id) => document.getElementById(id);

export function element(name, content = '', attributes = {}) {
  const node = document.createElement(name);
  node.textContent = content;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

/** Asks the server, and returns its answer; throws what it refuses with. */
export async function ask(path, body, init = {}) {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...init,
  });
  if (response.ok) return response;
  const { error } = await response.json();
  throw new Error(`${error.message} (${error.code})`);
}
