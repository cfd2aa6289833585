// A `fetch` that reads a body that is a stream before it sends it.

const { fetch: original } = globalThis;

globalThis.fetch = async (input, init) => {
  const request = new Request(input, init);
  if (!request.body) return original(input, init);
  const { url, method, headers } = request;
  return original(url, { method, headers, body: await request.text() });
};
