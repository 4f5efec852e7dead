// What one tab's answer tells the next: `<job>` in a tab's variables is the id of the last job seen.

export function remember(memory, value, name = "") {
  if (value === null || typeof value !== "object") return;
  if (!Array.isArray(value)) {
    if (typeof value.id === "string" && name) memory[name] = value.id;
    if (name === "order" && typeof value.code === "string") memory.code = value.code;
    if (typeof value.jobId === "string") memory.job = value.jobId;
  }
  for (const [key, inner] of Object.entries(value)) remember(memory, inner, key);
}

export function filled(memory, value) {
  if (typeof value === "string") return memory[value.match(/^<(\w+)>$/)?.[1]] ?? value;
  if (Array.isArray(value)) return value.map(each => filled(memory, each));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, filled(memory, inner)]));
}

// A GraphiQL fetcher around another: fills what is still open, remembers what comes back.
export function filling(memory, send) {
  return async (asked, options) => {
    const answer = await send({ ...asked, variables: filled(memory, asked.variables ?? {}) }, options);
    remember(memory, answer.data ?? null);
    return answer;
  };
}
