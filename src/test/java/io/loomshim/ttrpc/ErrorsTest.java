package io.loomshim.ttrpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import com.google.protobuf.Empty;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ErrorsTest {
  private static String map(Throwable error) {
    return map(error, false);
  }

  private static String map(Throwable error, boolean late) {
    StatusException status = new Errors(ErrorMapper.NONE).status(error, late);
    return status.code() + " " + status.getMessage();
  }

  @Test
  void whatTheServiceDoesNotMapIsUnknown() {
    assertEquals("UNKNOWN no luck", map(new IOException("no luck")));
  }

  @Test
  void anExceptionWithoutATextHasItsClassAsText() {
    assertEquals("UNKNOWN java.io.IOException", map(new IOException()));
    assertEquals("UNKNOWN java.lang.IllegalStateException", map(new IllegalStateException("")));
  }

  @Test
  void anInterruptIsTheDeadlineOrACancellation() {
    for (var error : new Exception[] {
        new InterruptedException(), new ClosedByInterruptException(), new InterruptedIOException()}) {
      assertEquals("DEADLINE_EXCEEDED context deadline exceeded", map(error, true));
      assertEquals("CANCELED context canceled", map(error, false));
    }
  }

  @Test
  void aStatusStaysWhatItIs() {
    var status = new StatusException(Code.ABORTED, "enough");
    ErrorMapper other = error -> new StatusException(Code.INTERNAL, "mapped");
    assertSame(status, new Errors(other).status(status, true));
  }

  @Test
  void theServiceMapsTheRest() {
    var errors = new Errors(error -> new StatusException(Code.UNAVAILABLE, "mapped", error));
    assertEquals("mapped", errors.status(new IOException("x"), false).getMessage());
    assertEquals(Code.CANCELED, errors.status(new InterruptedException(), false).code());
    assertEquals(Code.INTERNAL, errors.status(new AssertionError(), false).code());
  }

  @Test
  void everyCodeSurvivesTheWire() throws Exception {
    try (var stand = new Stand(); var peer = stand.peer()) {
      long id = 1;
      for (Code code : Code.values()) {
        assertSame(code, Code.of(code.number()));
        if (code != Code.OK) {
          stand.failure = () -> {
            throw new StatusException(code, "text: 100% <" + code + ">");
          };
          peer.send(id, Peer.request(Stand.SERVICE, "Fail", Empty.getDefaultInstance()));
          assertEquals(code.number() + " text: 100% <" + code + ">", peer.receive().status());
          id += 2;
        }
      }
      assertSame(Code.UNKNOWN, Code.of(99));
      assertSame(Code.UNKNOWN, Code.of(-1));
    }
  }

  private static int endless(int depth) {
    return endless(depth + 1) + 1;
  }

  @Test
  void anErrorInAHandlerIsAnsweredAndTheConnectionSurvives() throws Exception {
    try (var stand = new Stand(); var peer = stand.peer()) {
      Stand.Failure[] failures = {
        () -> endless(0),
        () -> {
          throw new OutOfMemoryError("made up");
        },
        () -> {
          throw new AssertionError("broken");
        }
      };
      String[] answers = {"13 internal error: java.lang.StackOverflowError", "8 out of memory: made up",
        "13 internal error: java.lang.AssertionError: broken"};
      for (int i = 0; i < failures.length; i++) {
        stand.failure = failures[i];
        peer.send(2 * i + 1, Peer.request(Stand.SERVICE, "Fail", Empty.getDefaultInstance()));
        assertEquals(answers[i], peer.receive().status());
      }
      peer.send(99, Peer.request(Stand.SERVICE, "Nothing", Empty.getDefaultInstance()));
      assertEquals(0, peer.receive().data().length);
    }
  }

  @Test
  void aMapperThatFailsDoesNotHarmTheConnection() throws Exception {
    ErrorMapper broken = error -> {
      throw new IllegalStateException("mapper");
    };
    try (var stand = new Stand(broken); var peer = stand.peer()) {
      stand.failure = () -> {
        throw new IOException("x");
      };
      peer.send(1, Peer.request(Stand.SERVICE, "Fail", Empty.getDefaultInstance()));
      assertEquals("13 internal error: java.lang.IllegalStateException: mapper", peer.receive().status());
      peer.send(3, Peer.request(Stand.SERVICE, "Nothing", Empty.getDefaultInstance()));
      assertEquals(0, peer.receive().data().length);
    }
  }
}
