#include "line/order.h"

#include <stdarg.h>
#include <stdio.h>

void order_log(const struct order *order, enum log_level level, const char *format, ...)
{
    char text[5000];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_line(order->plant->log, level, "%s %s: %s", order->manifest->name, order->arch->name, text);
}

void order_enter(const struct order *order, enum stage stage)
{
    progress_stage(order->progress, stage);
    order_log(order, LOG_VERBOSE, "%s", progress_stage_name(stage));
}

bool order_compute(const struct order *order, workers_function *function, void *argument, struct err *err)
{
    return workers_call(order->plant->workers, function, argument, err) && !plant_is_cancelled(order->plant, err);
}

bool order_takes_older(const struct order *order)
{
    return order->manifest->is_older_fine || order->plant->inputs.is_older_fine;
}

bool order_is_automatic(const struct order *order)
{
    bool is_any = false;
    for (size_t i = 0; i < AUTOMATIC_COUNT; i++)
        is_any = is_any || order->manifest->automatic[i];
    return is_any;
}
