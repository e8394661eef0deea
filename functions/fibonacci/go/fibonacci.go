// The x-th Fibonacci number by x additions of big integers, as vSwarm's.
package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"messages"
	"server"
)

const xMax = 1000000 // some seconds of work, a reply of 209 kB: no request shall keep the core for minutes

func fibonacci(x int64) *big.Int {
	current, next := big.NewInt(0), big.NewInt(1)
	for i := int64(0); i < x; i++ {
		current.Add(current, next)
		current, next = next, current
	}
	return current
}

// What is no whole number counts as 0, as in vSwarm's.
func parse(text string) int64 {
	x, err := strconv.ParseInt(strings.TrimLeft(text, " \t\n\v\f\r"), 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return x
}

func sayHello(_ context.Context, request *messages.HelloRequest) (*messages.HelloReply, error) {
	x := parse(request.GetName())
	if x > xMax {
		return nil, status.Error(codes.InvalidArgument, "the function refused its input")
	}
	text := fmt.Sprintf("fn: Fib: y = fib(x) | x: %d y: %s | runtime: go", x, fibonacci(x))
	return &messages.HelloReply{Message: text}, nil
}

func main() {
	server.Serve("fibonacci-go", server.Address("fibonacci-go"), messages.File_fibonacci_proto, sayHello)
}
