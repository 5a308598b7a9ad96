// groupvit itself, as WebAssembly: answers the requests that a server would.
importScripts("../wasm_exec.js");

const ready = (async () => {
  const go = new Go();
  const { instance } = await WebAssembly.instantiateStreaming(fetch("../groupvit.wasm"), go.importObject);
  const started = new Promise((resolve, reject) => { self.groupvitStarted = (error) => error ? reject(new Error(error)) : resolve(); });
  go.run(instance);
  await started;
})();

onmessage = async ({ data: { id, method, path, type, body } }) => {
  try {
    await ready;
    const { status, body: answer } = await self.groupvitAsk(method, path, type, body);
    postMessage({ id, status, body: answer }, [answer.buffer]);
  } catch (error) {
    postMessage({ id, error: `groupvit cannot run in this browser: ${error.message || error}` });
  }
};
