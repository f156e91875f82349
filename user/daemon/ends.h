/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a connection on this host: what each learns of the other. */
#ifndef RSTSCOPE_ENDS_H
#define RSTSCOPE_ENDS_H

#include "user/attribute/join.h"

/*
 * What the sender's own event says of it, for the one that received; `cause` is
 * the sender's, negative: not certain.
 */
void ends_from_sender(struct failure *f, const struct failure *sender,
		      int cause);
/* For the sender: who it was that its RST hit. */
void ends_from_receiver(struct failure *f, const struct failure *hit);

/*
 * New data, or an ACK of what met the RST: the peer had got that and knows of
 * no RST. A repetition of old data says only that a RST was told to us alone.
 */
bool ends_go_on(const struct facts *reset, const struct facts *late);

#endif
