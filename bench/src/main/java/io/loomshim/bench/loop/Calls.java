package io.loomshim.bench.loop;

import io.loomshim.proto.ttrpc.Request;

/** What a server does with the requests that arrive. */
interface Calls {
  /** Runs on the event loop of the connection, so it must not wait: it answers, or arranges that others do so. */
  void arrived(PendingCall call, Request request) throws Exception;
}
