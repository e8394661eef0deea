// An API gateway's authorizer, as vSwarm's: the token decides; `allow` and `deny` give a policy document (AWS's).
package main

import (
	"context"
	"encoding/json"
	"fmt"

	"messages"
	"server"
)

const resource = "arn:aws:execute-api:{regionId}:{accountId}:{apiId}/{stage}/{httpVerb}/[{resource}/[{child-resources}]]"

type statement struct{ Action, Effect, Resource string }

type policyDocument struct {
	Version   string
	Statement []statement
}

type properties struct {
	StringKey  string `json:"stringKey"`
	NumberKey  int    `json:"numberKey"`
	BooleanKey bool   `json:"booleanKey"`
}

type response struct {
	PrincipalID    string         `json:"principalId"`
	PolicyDocument policyDocument `json:"policyDocument"`
	Context        properties     `json:"context"`
}

func policy(principal, effect string) string {
	text, _ := json.Marshal(response{
		PrincipalID:    principal,
		PolicyDocument: policyDocument{"2012-10-17", []statement{{"execute-api:Invoke", effect, resource}}},
		Context:        properties{"stringval", 123, true},
	})
	return string(text)
}

func authorize(token string) string {
	switch token {
	case "allow":
		return policy("user", "Allow")
	case "deny":
		return policy("user", "Deny")
	case "unauthorized":
		return "Unauthorized"
	}
	return "Error: Invalid token"
}

func sayHello(_ context.Context, request *messages.HelloRequest) (*messages.HelloReply, error) {
	token := request.GetName()
	text := fmt.Sprintf("fn: Auth | token: %s | resp: %s | runtime: go", token, authorize(token))
	return &messages.HelloReply{Message: text}, nil
}

func main() {
	server.Serve("auth-go", server.Address("auth-go"), messages.File_auth_proto, sayHello)
}
