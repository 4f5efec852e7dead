// Presses "run" on every tab of the roles named, in order, by the page's own code.
// Prints one JSON line a tab: role, operation, whether anything was left open, the answer.

import { filling } from "../../infra/local/filling.mjs";

const [url, ...roles] = process.argv.slice(2);
const RUNNING = new Set(["CHECKING", "COMMITTING", "RUNNING"]);

for (const role of roles) {
  const page = await (await fetch(`${url}/graphiql/?as=${role}`)).text();
  const tabs = JSON.parse(page.match(/const tabs = (.*);\n/)[1]);
  const sent = [];
  const run = filling({}, async body => {
    sent.push(JSON.stringify(body.variables));
    return (await fetch(`${url}/graphql`, { method: "POST", headers, body: JSON.stringify(body) })).json();
  });
  let headers;
  for (const tab of tabs) {
    headers = { "Content-Type": "application/json", ...JSON.parse(tab.headers) };
    const asked = { query: tab.query, variables: JSON.parse(tab.variables) };
    let answer = await run(asked);
    for (let again = 0; again < 100 && isRunning(tab, answer); again++) {
      await new Promise(resolve => setTimeout(resolve, 100));
      answer = await run(asked);
    }
    const operation = tab.query.match(/^(?:query|mutation) (\w+)/m)[1];
    console.log(JSON.stringify({ role, operation, variables: sent.at(-1), answer }));
  }
}

function isRunning(tab, answer) {
  if (!/^query /m.test(tab.query)) return false;
  return Object.values(answer.data ?? {}).some(found => RUNNING.has(found?.state));
}
