/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon's /metrics says. */
#ifndef E2E_SCRAPE_H
#define E2E_SCRAPE_H

/*
 * The text form, malloc'd, of a daemon that listens there ("127.0.0.1:PORT" or
 * "unix:PATH"); NULL: it does not answer.
 */
char *scrape(const char *listen);
/* The same as this Accept header asks for. */
char *scrape_as(const char *listen, const char *accept);

/*
 * The sum over the samples of that name whose labels hold that text, such as
 * "stage=\"ring\"" ("": any); -1: there is none.
 */
double scrape_sum(const char *text, const char *name, const char *label);

#endif
