package io.loomshim.ttrpc;

import io.loomshim.metrics.Budget;
import java.util.Map;
import java.util.Optional;

/**
 * What all connections of one server share. Immutable; each part may be used from any thread.
 *
 * @param services by their full names
 * @param memory what calls in flight hold
 * @param gate holds back calls that have not begun
 * @param stuck logs calls that take too long; empty when that is switched off
 */
record Shared(Map<String, Service> services, Errors errors, Budget memory, Deadlines deadlines, InFlight inFlight,
    Gate gate, Optional<StuckCalls> stuck) {}
