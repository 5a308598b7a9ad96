// Where answers come from: the server that this page came from or, without one,
// the same program in a worker of this browser. Both answer the same requests.

/** What a failed request says of itself. */
export class Problem extends Error {
  constructor(status, problem) {
    super(problem.detail || `status ${status}`);
    this.status = status;
    this.remedy = problem.remedy || "";
  }
}

/** The server does not answer. */
export class Unreachable extends Error {
  constructor() {
    super("The server cannot be reached. Check that it runs and that this device is online");
  }
}

/** Finds who answers. askToken is called when the server wants a token. */
export async function connect(askToken) {
  try {
    const answer = await fetch("v1/models");
    if (answer.status === 401 || (answer.ok && isJSON(answer))) return server(askToken);
  } catch { /* no server */ }
  return browser();
}

const isJSON = (answer) => (answer.headers.get("Content-Type") || "").includes("json");

function server(askToken) {
  let token = sessionStorage.getItem("token");
  return {
    where: "server",
    async ask(method, path, { type, body, signal } = {}) {
      for (;;) {
        const headers = {};
        if (type) headers["Content-Type"] = type;
        if (token) headers.Authorization = `Bearer ${token}`;
        const answer = await reach(path, { method, headers, body, signal });
        if (answer.status === 401) {
          sessionStorage.removeItem("token");
          token = await askToken(Boolean(token));
          if (token) {
            sessionStorage.setItem("token", token);
            continue;
          }
        }
        if (answer.status === 429) {
          await wait(1000 * (Number(answer.headers.get("Retry-After")) || 1), signal);
          continue;
        }
        const bytes = new Uint8Array(await answer.arrayBuffer());
        return read(answer.status, bytes);
      }
    },
  };
}

/** fetch, whose errors say what to do. */
async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Unreachable();
  }
}

function browser() {
  const worker = new Worker("page/worker.js");
  const open = new Map();
  let last = 0;
  worker.onmessage = ({ data }) => {
    const { resolve, reject } = open.get(data.id);
    open.delete(data.id);
    if (data.error) reject(new Error(data.error));
    else resolve(data);
  };
  return {
    where: "browser",
    async ask(method, path, { type, body, signal } = {}) {
      const bytes = body instanceof Blob ? new Uint8Array(await body.arrayBuffer())
        : new TextEncoder().encode(body || "");
      signal?.throwIfAborted();
      const answer = await new Promise((resolve, reject) => {
        open.set(++last, { resolve, reject });
        worker.postMessage({ id: last, method, path, type: type || "", body: bytes });
      });
      signal?.throwIfAborted();
      return read(answer.status, answer.body);
    },
  };
}

function read(status, bytes) {
  const text = new TextDecoder().decode(bytes);
  const value = text ? JSON.parse(text) : null;
  if (status >= 400) throw new Problem(status, value || {});
  return value;
}

function wait(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });
}
