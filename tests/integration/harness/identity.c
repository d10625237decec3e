#include "harness/identity.h"

#include <string.h>
#include <sys/stat.h>

#include "harness/run.h"

static void openssl(const char *const *arguments)
{
	struct outcome outcome;

	run(&outcome, tool_find("openssl"), NULL, arguments);
	ck_assert_msg(outcome.code == 0, "%s", outcome.text);
}

#define OPENSSL(...) openssl((const char *const[]){ __VA_ARGS__, NULL })

void identity_make(struct identity *id, const char *dir, const char *name)
{
	static const char names[] = "subjectAltName=DNS:localhost\n";
	char own[PATH_SIZE];
	char request[PATH_SIZE];
	char extensions[PATH_SIZE];

	scratch_path(own, dir, name);
	ck_assert_int_eq(mkdir(own, 0700), 0);
	scratch_path(id->ca, own, "ca.pem");
	scratch_path(id->ca_key, own, "ca.key");
	scratch_path(id->cert, own, "cert.pem");
	scratch_path(id->key, own, "key.pem");
	scratch_path(request, own, "request.pem");
	scratch_path(extensions, own, "extensions");
	file_write(extensions, names, strlen(names));
	OPENSSL("req", "-x509", "-newkey", "ec", "-pkeyopt",
		"ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
		"/CN=test authority", "-keyout", id->ca_key, "-out", id->ca);
	OPENSSL("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
		"-nodes", "-subj", "/CN=localhost", "-keyout", id->key, "-out",
		request);
	OPENSSL("x509", "-req", "-in", request, "-CA", id->ca, "-CAkey",
		id->ca_key, "-CAcreateserial", "-days", "2", "-extfile",
		extensions, "-out", id->cert);
}
