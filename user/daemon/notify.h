/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What systemd is told (sd_notify(3)). Without systemd each does nothing.
 */
#ifndef RSTSCOPE_NOTIFY_H
#define RSTSCOPE_NOTIFY_H

#include <stdint.h>

void notify_ready(void);
/* One line, for `systemctl status`. */
void notify_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void notify_watchdog(void);
void notify_stopping(void);

/* How often to call notify_watchdog(): half of what the unit says; 0: never. */
uint64_t notify_watchdog_us(void);

#endif
