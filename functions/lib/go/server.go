// Package server is a function's main(): its options, its one method, its server.
package server

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Fail ends the program with a line that says why.
func Fail(status int, format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(status)
}

// Address reads the command line, with the options that package flag knows by then, and returns that of -addr.
func Address(name string) string {
	address := flag.String("addr", "0.0.0.0:50051", "`HOST:PORT` to listen on")
	flag.CommandLine.Init(name, flag.ContinueOnError)
	flag.CommandLine.SetOutput(io.Discard)
	switch err := flag.CommandLine.Parse(os.Args[1:]); {
	case err == flag.ErrHelp:
		flag.CommandLine.SetOutput(os.Stdout)
		flag.PrintDefaults()
		os.Exit(0)
	case err != nil:
		Fail(2, "%s: %v: see -help", name, err)
	case flag.NArg() > 0:
		Fail(2, "%s: unexpected argument '%s': see -help", name, flag.Arg(0))
	}
	return *address
}

// Serve answers the one method of the one service that file (by protoc) describes, until SIGTERM.
func Serve[Request, Reply any](name, address string, file protoreflect.FileDescriptor,
	handle func(context.Context, *Request) (*Reply, error)) {
	service := file.Services().Get(0)
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: string(service.FullName()),
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{
			MethodName: string(service.Methods().Get(0).Name()),
			Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				request := new(Request)
				if err := decode(request); err != nil {
					return nil, err
				}
				return handle(ctx, request)
			},
		}},
	}, nil)

	listener, err := net.Listen("tcp", address)
	if err != nil {
		Fail(1, "%s: %v", name, err)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-stop
		server.Stop()
	}()
	host := address[:strings.LastIndex(address, ":")]
	fmt.Fprintf(os.Stderr, "%s: listening on %s:%d\n", name, host, listener.Addr().(*net.TCPAddr).Port)
	if err := server.Serve(listener); err != nil {
		Fail(1, "%s: %v", name, err)
	}
}
