# gRPC's own health service at a free port, which it prints. Each line of stdin is the status that it answers with from then on.
import sys
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

server = grpc.server(futures.ThreadPoolExecutor(2))
servicer = health.HealthServicer()
health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print("at the port", port, flush=True)
for line in sys.stdin:
    servicer.set("", getattr(health_pb2.HealthCheckResponse, line.strip()))
