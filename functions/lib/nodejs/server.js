// A function's main(): its options, its one method, its server.
"use strict";

const { parseArgs } = require("node:util");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

function fail(name, text, status = 1) {
  console.error(`${name}: ${text}`);
  process.exit(status);
}

// The command line: -addr, and these options with their defaults. One dash or two.
function options(name, defaults = {}) {
  const values = { addr: "0.0.0.0:50051", ...defaults };
  const known = Object.fromEntries(Object.keys(values).map((option) => [option, { type: "string" }]));
  const words = process.argv.slice(2).map((word) => word.replace(/^-(?=[a-z]{2})/, "--"));
  try {
    return { ...values, ...parseArgs({ args: words, options: known }).values };
  } catch (error) {
    return fail(name, error.message, 2);
  }
}

// Answer the one method of the one service that /function/PROTO describes, until SIGTERM.
function serve(name, address, proto, handle) {
  const description = loader.loadSync(`${__dirname}/${proto}`, { keepCase: true, defaults: true });
  const [service] = Object.values(description).filter((one) => !one.format);
  const [method] = Object.values(service);
  const server = new grpc.Server();
  server.addService(service, { [method.originalName]: handle });
  server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) fail(name, error.message);
    console.error(`${name}: listening on ${address.slice(0, address.lastIndexOf(":"))}:${port}`);
  });
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => server.forceShutdown());
}

module.exports = { fail, options, serve, status: grpc.status };
