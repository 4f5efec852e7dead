// A judge's requests by a client that others wrote: `node request.mjs <url> <token>`.
import { ClientError, GraphQLClient, gql } from "graphql-request";

const [url, token] = process.argv.slice(2);
const client = new GraphQLClient(url, { headers: { authorization: `Bearer ${token}` } });
const add = gql`
  mutation AddUnit($input: AddUnitInput!) {
    addUnit(input: $input) { unit { id name } errors { code message } replayed }
  }
`;
const input = { idempotencyKey: "javascript-1", name: "执行局" };

const codes = async (asked) => {
  try {
    await asked();
    return [];
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return error.response.errors.map((one) => one.extensions.code);
  }
};

const me = await client.request(gql`query Me { me { person { name } court { name } roles } }`);
const added = await client.request(add, { input });
const again = await client.request(add, { input });
const batch = await codes(() => client.batchRequests([{ document: "{serverNow}" }]));
const invalid = await codes(() => client.request("{ nothing }"));
const wrong = await codes(() => client.request(add, { input: { name: 1 } }));
const nobody = await codes(() => new GraphQLClient(url).request("{ me { roles } }"));
console.log(JSON.stringify({ me, added, again, batch, invalid, wrong, nobody }));
