// Questions to the server.

/** What the server refuses with. */
export class Refused extends Error {
  constructor(message, retryAfter) {
    super(message);
    /** Seconds after which to ask again; undefined if that would not help. */
    this.retryAfter = retryAfter;
  }
}

async function refusal(response) {
  const seconds = Number(response.headers.get('retry-after'));
  const retryAfter = seconds > 0 ? seconds : undefined;
  try {
    const { error } = await response.json();
    return new Refused(`${error.message} (${error.code})`, retryAfter);
  } catch {
    // Not this server: a proxy before it.
    return new Refused(`The server answers with status ${response.status}.`, retryAfter);
  }
}

/** What the server tells without being asked anything. @throws Refused */
export async function tell(path) {
  let response;
  try {
    response = await fetch(path);
  } catch (error) {
    throw new Refused(`The server does not answer: ${error.message}`);
  }
  if (!response.ok) throw await refusal(response);
  try {
    return await response.json();
  } catch {
    throw new Refused(`The answer to GET /${path} is not JSON: it is not from recurra serve, perhaps from a proxy.`);
  }
}

/** Asks the server. @throws Refused; whatever `fetch` throws if the signal is aborted. */
export async function ask(path, body, signal) {
  let response;
  try {
    response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new Refused(`The server does not answer: ${error.message}`);
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

/** Asks the server for JSON. */
export async function askJson(path, body, signal) {
  const answer = await (await ask(path, body, signal)).json();
  // What was asked for later has been shown already.
  signal.throwIfAborted();
  return answer;
}
