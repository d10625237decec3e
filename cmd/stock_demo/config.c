#include "config.h"

#include <string.h>

static enum status_code check_fill_after(struct stock_config *config,
					 struct status *reterr)
{
	const char *text = config->fill_after;

	config->fills = text[0] != '\0' && strcmp(text, "off") != 0;
	if (config->fills &&
	    duration_parse(text, &config->fill_after_ns, reterr) != STATUS_OK) {
		return status_wrap(reterr, "-fill-after");
	}
	return STATUS_OK;
}

enum status_code stock_config_check(struct stock_config *config,
				    struct status *reterr)
{
	if (check_fill_after(config, reterr) != STATUS_OK) {
		return reterr->code;
	}
	return program_tls_check(&config->tls, "-http-tls", true, reterr);
}
