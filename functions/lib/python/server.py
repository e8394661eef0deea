"""A function's main(): its options, its one method, its server. And how it calls the method of another."""

import argparse
import concurrent.futures
import signal
import sys

import grpc


def arguments(name, **options):
    """The command line: -addr, and these options with their defaults. One dash or two, - or _ within."""
    parser = argparse.ArgumentParser(name, allow_abbrev=False)
    parser.add_argument("-addr", "--addr", metavar="HOST:PORT", default="0.0.0.0:50051")
    for option, default in options.items():
        spelled = option.replace("_", "-")
        parser.add_argument(f"-{spelled}", f"--{spelled}", f"--{option}", dest=option, default=default)
    return parser.parse_args()


def fail(name, text, status=1):
    print(f"{name}: {text}", file=sys.stderr)
    sys.exit(status)


def describe(messages, service):
    """A service's full name, its one method, the request's type and the reply's. `messages` is a module by protoc."""
    service = messages.DESCRIPTOR.services_by_name[service]
    (method,) = service.methods
    return service.full_name, method.name, getattr(messages, method.input_type.name), getattr(messages, method.output_type.name)


def remote(address, messages, service):
    """The one method of a service that is served there, as a function of its request."""
    full_name, method, request, reply = describe(messages, service)
    return grpc.insecure_channel(address).unary_unary(
        f"/{full_name}/{method}", request_serializer=request.SerializeToString, response_deserializer=reply.FromString
    )


def serve(name, address, messages, handle, service=None):
    """Answer the one method of a service (None: of the first that `messages` describes), until SIGTERM."""
    full_name, method, request, reply = describe(messages, service or next(iter(messages.DESCRIPTOR.services_by_name)))
    handler = grpc.unary_unary_rpc_method_handler(
        handle, request_deserializer=request.FromString, response_serializer=reply.SerializeToString
    )
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=1))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(full_name, {method: handler})])
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        fail(name, f"listen on {address}: {error}")
    signal.signal(signal.SIGTERM, lambda *_: server.stop(None))
    server.start()
    print(f"{name}: listening on {address.rpartition(':')[0]}:{port}", file=sys.stderr, flush=True)
    server.wait_for_termination()
