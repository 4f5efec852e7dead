// The audits of the GraphQL over HTTP specification, by those who wrote them: `node audit.mjs <url>`.
import { auditServer } from "graphql-http";

const results = await auditServer({ url: process.argv[2] });
const told = results.map(({ id, name, status, reason }) => ({ id, name, status, reason }));
console.log(JSON.stringify(told));
