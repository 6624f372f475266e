package io.loomshim.bench.loom;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HandoverPartsTest {
  private static final List<String> STACKS = List.of(
      "[poller tid=7];java/lang/Thread.run;io/loomshim/linux/Poller.run;io/loomshim/linux/PolledSocket.tell;"
          + "java/util/concurrent/ForkJoinPool.signalWork;Unsafe_Unpark;futex_wake 30",
      "[poller tid=7];java/lang/Thread.run;io/loomshim/linux/Poller.run;io/loomshim/linux/Epoll.await;epoll_wait 10",
      "[ForkJoinPool-1-worker-1 tid=8];jdk/internal/vm/Continuation.enterSpecial;io/loomshim/ttrpc/Connection.run;"
          + "io/loomshim/task/TaskService.state 40",
      "[ForkJoinPool-1-worker-1 tid=8];jdk/internal/vm/Continuation.enterSpecial;io/loomshim/ttrpc/Connection.run 15",
      "[VM Thread tid=3];[unknown] 5");

  @Test
  void theInnermostFrameThatIsKnownSaysWhatASampleWasSpentOn() {
    assertEquals(Map.of("a carrier is woken (futex)", 30L, "the poller waits (epoll_wait)", 10L, "the call itself", 40L,
        "frames, protobuf, the server's books", 15L, "everything else", 5L), HandoverParts.of(STACKS).samples());
  }

  @Test
  void theLargestPartComesFirst() {
    assertEquals("""
        | part of the processor time | |
        |---|---|
        | the call itself | 40.0 % |
        | a carrier is woken (futex) | 30.0 % |
        | frames, protobuf, the server's books | 15.0 % |
        | the poller waits (epoll_wait) | 10.0 % |
        | everything else | 5.0 % |
        """, HandoverParts.of(STACKS).table());
  }
}
