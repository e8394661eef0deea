// AES-128-CTR with an initial counter of zero, as vSwarm's: Node's own, which is OpenSSL's.
"use strict";

const { createCipheriv } = require("node:crypto");
const server = require("./server.js");

const options = server.options("aes-nodejs", {
  key: "6368616e676520746869732070617373",
  "default-plaintext": "defaultplaintext",
});
if (!/^[0-9a-f]{32}$/i.test(options.key)) server.fail("aes-nodejs", `key '${options.key}': not 32 hexadecimal digits`, 2);
const key = Buffer.from(options.key, "hex");

function showEncryption(call, callback) {
  let plaintext = call.request.plaintext_message;
  if (plaintext === "" || plaintext === "world") plaintext = options["default-plaintext"];
  const cipher = createCipheriv("aes-128-ctr", key, Buffer.alloc(16));
  const ciphertext = cipher.update(plaintext, "utf8", "hex") + cipher.final("hex");
  callback(null, { encryption_info: `fn: AES | plaintext: ${plaintext} | ciphertext: ${ciphertext} | runtime: nodejs` });
}

server.serve("aes-nodejs", options.addr, "aes.proto", showEncryption);
