// Reads requests as JSON from standard input; writes what Zoom's own receiver answers to each.
"use strict";

const { AwsLambdaReceiver } = require("@zoom/rivet/phone");

// It tells each request on standard output, which is ours.
console.debug = () => {};
console.error = () => {};

const judged = ({ token, headers, body }) => {
  const receiver = new AwsLambdaReceiver({ webhooksSecretToken: token });
  receiver.init({ eventEmitter: { emit: async () => {} } });
  return receiver.start()({ body, headers, isBase64Encoded: false }, {});
};

const main = async () => {
  const requests = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  process.stdout.write(JSON.stringify(await Promise.all(requests.map(judged))));
};

main();
