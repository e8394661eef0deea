"""A function's main(): its options, its one method, its server."""

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


def serve(name, address, messages, handle):
    """Answer the one method of the one service that `messages` (a module by protoc) describes, until SIGTERM."""
    service, = messages.DESCRIPTOR.services_by_name.values()
    method, = service.methods
    handler = grpc.unary_unary_rpc_method_handler(
        handle,
        request_deserializer=getattr(messages, method.input_type.name).FromString,
        response_serializer=getattr(messages, method.output_type.name).SerializeToString)
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=1))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service.full_name, {method.name: handler})])
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        fail(name, f"listen on {address}: {error}")
    signal.signal(signal.SIGTERM, lambda *_: server.stop(None))
    server.start()
    print(f"{name}: listening on {address.rpartition(':')[0]}:{port}", file=sys.stderr, flush=True)
    server.wait_for_termination()
