/*
 * The page's server: HTTP and websockets on 127.0.0.1, for who knows the token.
 *
 *     http://127.0.0.1:PORT/TOKEN/NAME       a file of the page
 *     ws://127.0.0.1:PORT/TOKEN/state        states, frames, requests and answers
 *     ws://127.0.0.1:PORT/TOKEN/console      the guest's console
 *     ws://127.0.0.1:PORT/TOKEN/beside/...   the same two, of a machine that was
 *                                            started beside the first
 *
 * See docs/explore.md for what is said there, and who may say it.
 */
#ifndef EXPLORE_SERVER_H
#define EXPLORE_SERVER_H

#include "live.h"
#include "offer.h"

/* Serve a machine; those in the folder `offers`, which may be NULL, can be started
 * beside it, one at a time. Until SIGINT, SIGTERM or SIGHUP comes. `port` 0: any
 * that is free. started(address) is called once with the page's address. 0, or -1
 * and why. */
int server_run(struct live *v, const char *offers, int port,
               void (*started)(const char *address), struct trouble *why);

#endif
