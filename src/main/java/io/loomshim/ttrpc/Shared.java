package io.loomshim.ttrpc;

import java.util.Map;
import java.util.Optional;

/**
 * What all connections of one server share. Immutable; each part may be used from any thread.
 *
 * @param services by their full names
 * @param memory what calls in flight hold
 * @param stuck tells calls that do not end, if anybody wants to know
 */
record Shared(Map<String, Service> services, Errors errors, Budget memory, Deadlines deadlines, InFlight inFlight,
    Optional<StuckCalls> stuck) {}
