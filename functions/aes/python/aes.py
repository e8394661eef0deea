"""AES-128-CTR with an initial counter of zero, in Python itself (pyaes), as vSwarm's."""

import pyaes

import aes_pb2
import server

options = server.arguments("aes-python", key="6368616e676520746869732070617373", default_plaintext="defaultplaintext")
try:
    key = bytes.fromhex(options.key)
except ValueError:
    key = b""
if len(key) != 16:
    server.fail("aes-python", f"key '{options.key}': not 32 hexadecimal digits", 2)


def show_encryption(request, context):
    plaintext = request.plaintext_message
    if plaintext in ("", "world"):
        plaintext = options.default_plaintext
    cipher = pyaes.AESModeOfOperationCTR(key, pyaes.Counter(initial_value=0))
    ciphertext = cipher.encrypt(plaintext.encode()).hex()
    return aes_pb2.ReturnEncryptionInfo(encryption_info=f"fn: AES | plaintext: {plaintext} | ciphertext: {ciphertext} | runtime: python")


server.serve("aes-python", options.addr, aes_pb2, show_encryption)
