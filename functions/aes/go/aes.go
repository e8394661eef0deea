// AES-128-CTR with an initial counter of zero, as vSwarm's: Go's own, which uses AES-NI.
package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"flag"
	"fmt"

	"messages"
	"server"
)

var (
	keyText          = flag.String("key", "6368616e676520746869732070617373", "32 hexadecimal digits")
	defaultPlaintext = flag.String("default-plaintext", "defaultplaintext", "for an empty text or 'world'")
	block            cipher.Block
)

func showEncryption(_ context.Context, request *messages.PlainTextMessage) (*messages.ReturnEncryptionInfo, error) {
	plaintext := request.GetPlaintextMessage()
	if plaintext == "" || plaintext == "world" {
		plaintext = *defaultPlaintext
	}
	ciphertext := make([]byte, len(plaintext))
	cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(ciphertext, []byte(plaintext))
	return &messages.ReturnEncryptionInfo{
		EncryptionInfo: fmt.Sprintf("fn: AES | plaintext: %s | ciphertext: %x | runtime: go", plaintext, ciphertext),
	}, nil
}

func main() {
	address := server.Address("aes-go")
	key, err := hex.DecodeString(*keyText)
	if err != nil || len(key) != 16 {
		server.Fail(2, "aes-go: key '%s': not 32 hexadecimal digits", *keyText)
	}
	block, _ = aes.NewCipher(key)
	server.Serve("aes-go", address, messages.File_aes_proto, showEncryption)
}
