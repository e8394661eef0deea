// The x-th Fibonacci number by x additions of big integers, as vSwarm's.
"use strict";

const server = require("./server.js");

const xMax = 1000000n; // some seconds of work, a reply of 209 kB: no request shall keep the core for minutes

function fibonacci(x) {
  let current = 0n, next = 1n;
  for (let i = 0; i < x; i++) [current, next] = [next, current + next];
  return current;
}

// What is no whole number counts as 0, as in vSwarm's Go.
function parse(text) {
  const [, sign, digits] = /^[ \t\n\v\f\r]*([+-]?)([0-9]+)$/.exec(text) ?? ["", "", "0"];
  const x = sign === "-" ? -BigInt(digits) : BigInt(digits);
  return x < -(2n ** 63n) ? -(2n ** 63n) : x;
}

function sayHello(call, callback) {
  const x = parse(call.request.name);
  if (x > xMax) callback({ code: server.status.INVALID_ARGUMENT, details: "the function refused its input" });
  else callback(null, { message: `fn: Fib: y = fib(x) | x: ${x} y: ${fibonacci(x)} | runtime: nodejs` });
}

server.serve("fibonacci-nodejs", server.options("fibonacci-nodejs").addr, "fibonacci.proto", sayHello);
