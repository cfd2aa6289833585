// The mutation language, as mutation.rs has it and says it.

/** The value with the names in it replaced by what they stand for. */
export function fill(value, names) {
  if (typeof value === "string") return Object.hasOwn(names.keys, value) ? names.keys[value] : text(value, names);
  if (Array.isArray(value)) return value.map((item) => fill(item, names));
  if (value === null || typeof value !== "object") return value;
  if ("$now" in value) return Math.floor(Date.now() / 1000) + value.$now;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, fill(member, names)]));
}

const text = (value, names) =>
  Object.entries(names.texts).reduce((changed, [name, known]) => changed.replaceAll(name, known), value);

function place(document, pointer) {
  const path = pointer.split("/").slice(1);
  const name = path.pop();
  const parent = path.reduce((value, member) => value[member], document);
  if (parent === undefined) throw new Error(`${pointer} leads nowhere`);
  return [parent, name];
}

function edit(document, pointer, change) {
  const [parent, name] = place(document, pointer);
  if (typeof parent[name] !== "string") throw new Error(`${pointer} is no text`);
  parent[name] = change(parent[name]);
}

/** What is done to the value; the others are done to its text. */
const ON_VALUES = {
  set(document, { set, to }) {
    const [parent, name] = place(document, set);
    parent[name] = to;
  },
  remove(document, { remove }) {
    const [parent, name] = place(document, remove);
    if (!(name in parent)) throw new Error(`${remove} was not there`);
    delete parent[name];
  },
  append: (document, { append, text: more }) => edit(document, append, (known) => known + more),
  head: (document, { head, length }) => edit(document, head, (known) => known.slice(0, length)),
  upper: (document, { upper }) => edit(document, upper, (known) => known.toUpperCase()),
  rename(document, { rename, to }) {
    document[to] = document[rename];
    delete document[rename];
  },
  exchange(document, { exchange, for: others }) {
    delete document[exchange];
    Object.assign(document, others);
  },
  add(document, { add, item, times = 1 }) {
    const [parent, name] = place(document, add);
    parent[name].push(...Array(times).fill(item));
  },
  pad(document, { pad }) {
    document.padding = "A".repeat(pad);
  },
};

const ON_TEXT = {
  twice: (known, { twice, to }) => known.replace("{", () => `{${JSON.stringify(twice)}:${JSON.stringify(to)},`),
  nest: (known, { nest }) => known.replace("{", `{"deep":${"[".repeat(nest)}${"]".repeat(nest)},`),
  before: (known, { before }) => before + known,
  after: (known, { after }) => known + after,
  cut: (known, { cut }) => known.slice(0, -cut),
  body: (_known, { body }) => body,
};

const among = (operations, given) => Object.keys(operations).find((name) => name in given);

/** Changes a JSON document. */
export function changeDocument(known, operation, names) {
  const given = fill(operation, names);
  const onValue = among(ON_VALUES, given);
  if (onValue) {
    const value = JSON.parse(known);
    ON_VALUES[onValue](value, given);
    return JSON.stringify(value);
  }
  const onText = among(ON_TEXT, given);
  if (!onText && Object.keys(given).length > 0) throw new Error(`no such operation: ${JSON.stringify(given)}`);
  return onText ? ON_TEXT[onText](known, given) : known;
}

/**
 * Changes an answer: `{ status, headers, body }`, the names of headers in lower case; `drop` in it ends the connection.
 * What is asked for later than a test waits is for the native run.
 */
export function changeAnswer(answer, operation, names) {
  const { status, headers, body } = answer;
  if ("redirect" in operation) {
    return { status: operation.redirect, headers: { location: text(operation.to, names) }, body: "" };
  }
  if ("drop" in operation) return { ...answer, drop: true };
  if ("delay" in operation) throw new Error("a delay");
  if ("status" in operation) return { ...answer, status: operation.status };
  if ("header" in operation) return { ...answer, headers: { ...headers, [operation.header]: operation.to } };
  if ("reply" in operation) {
    const { reply } = operation;
    const filled = fill(reply.body, names);
    return {
      status: reply.status ?? status,
      headers: { ...headers, ...reply.headers },
      body: filled === undefined ? body : typeof filled === "string" ? filled : JSON.stringify(filled),
    };
  }
  return { ...answer, body: changeDocument(body, operation, names) };
}

/** A URL with parameters, changed as in server.rs: the document that they are, or the URL's text. */
export function changeUrl({ base, separator, parameters }, operation, names) {
  const own = ["place", "separator", "after", "twice"].some((name) => name in operation);
  const changed = JSON.parse(changeDocument(JSON.stringify(parameters), own ? {} : operation, names));
  let query = new URLSearchParams(changed).toString();
  if ("twice" in operation) query += `&${operation.twice}=${encodeURIComponent(text(operation.to, names))}`;
  return (operation.place ?? base) + (operation.separator ?? separator) + query + (operation.after ?? "");
}
