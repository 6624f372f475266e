package io.loomshim.ttrpc;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A server and one peer of it for each test. */
abstract class OnStand {
  Stand stand;
  Peer peer;

  @BeforeEach
  void open() throws Exception {
    stand = new Stand();
    peer = stand.peer();
  }

  @AfterEach
  void close() throws Exception {
    peer.close();
    stand.close();
  }
}
