/* From PEM files to gRPC's credentials. */
#ifndef RESCIND_RPC_TLS_H
#define RESCIND_RPC_TLS_H

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include "rpc/rpc.h"

/* @tls may be NULL: plaintext. */
MUSTCHECK enum status_code
tls_server_credentials(const struct rpc_tls *tls,
		       grpc_server_credentials **ret_credentials,
		       struct status *reterr);
MUSTCHECK enum status_code
tls_channel_credentials(const struct rpc_tls *tls,
			grpc_channel_credentials **ret_credentials,
			struct status *reterr);

#endif
