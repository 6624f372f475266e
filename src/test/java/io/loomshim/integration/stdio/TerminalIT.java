package io.loomshim.integration.stdio;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Typist;
import io.loomshim.proto.task.ExecProcessRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Processes with a terminal. */
final class TerminalIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  private static final int LARGE = 5 << 20;

  private static ShimClient open(Shim shim, String... command) {
    return BED.shims().start(shim, BED.shims().bundle(Names.id("tty"), command).withTerminal());
  }

  private static Typist typist(ShimClient task, String name) {
    return new Typist(BED.directory(), task.id() + name);
  }

  private static ExecProcessRequest.Builder on(ExecProcessRequest.Builder request, Typist typist) {
    return request.setTerminal(true).setStdin(typist.in()).setStdout(typist.out());
  }

  @Test
  void ctrRunWithATerminalShowsWhatATerminalShows() {
    String seen = Differential.same(shim -> {
      var result = BED.ctr().startOnTerminal(shim, List.of("--rm"), Names.id("run"), "sh", "-c",
          "echo one; echo two >&2; tty; exit 7").await(Ctr.LIMIT);
      return result.exit() + " " + inner(result.text()) + result.errors();
    });
    assertEquals("7 one\r\ntwo\r\n/dev/pts/0\r\n", seen);
  }

  /** Not through ctr, which from 1.5 on closes its end of the output before Delete, whether it has read all or not. */
  @RepeatedTest(20)
  void outputWrittenJustBeforeExitIsNotLost() {
    try (var task = open(SHIM, "sh", "-c", "seq 1 500; exit 5"); var typist = typist(task, "")) {
      task.create(typist::on);
      task.start();
      assertEquals(5, task.await("").getExitStatus());
      task.delete("");
      assertEquals(lines(500), typist.rest());
    }
  }

  /** ctr's own terminal puts one more carriage return before each line feed. */
  private static String inner(String text) {
    return text.replace("\r\r\n", "\r\n");
  }

  private static String lines(int count) {
    var text = new StringBuilder();
    for (int i = 1; i <= count; i++) {
      text.append(i).append("\r\n");
    }
    return text.toString();
  }

  @Test
  void fiveMebibytesComeThroughUnchanged() {
    String command = "stty -opost; seq 1 100000000 | head -c " + LARGE;
    try (var task = open(SHIM, "sh", "-c", command); var typist = typist(task, "")) {
      task.create(typist::on);
      task.start();
      assertEquals(0, task.await("").getExitStatus());
      String text = typist.rest();
      assertEquals(LARGE, text.length());
      assertTrue(lines(1_000_000).replace("\r", "").startsWith(text));
      task.delete("");
    }
  }

  @Test
  void whatIsTypedArrivesAndTheWindowHasTheSizeThatWasTold() {
    var seen = Differential.same(shim -> {
      var steps = new ArrayList<String>();
      try (var task = open(shim, "sh", "-c", "stty -echo; echo ready; while read line; do eval $line; echo =; done");
          var typist = typist(task, "")) {
        task.create(typist::on);
        task.resize("", 90, 20);
        steps.add("" + task.state("").getTerminal());
        task.start();
        typist.awaitOutput("ready\r\n");
        typist.type("stty size\n");
        typist.awaitOutput("=\r\n");
        task.resize("", 65536 + 132, 43);
        typist.type("stty size; echo again\n");
        typist.awaitOutput("again\r\n=\r\n");
        typist.type("exit 4\n");
        steps.add("" + task.await("").getExitStatus());
        task.resize("", 80, 25);
        steps.add(typist.rest());
        task.delete("");
        return steps;
      }
    });
    assertEquals(List.of("true", "4", "ready\r\n20 90\r\n=\r\n43 132\r\nagain\r\n=\r\n"), seen);
  }

  @Test
  void aClientLeavesAndAnotherGoesOn() {
    try (var task = open(SHIM, "sh", "-c", "stty -echo; echo ready; while read line; do echo got $line; done");
        var typist = typist(task, "")) {
      task.create(typist::on);
      task.start();
      typist.awaitOutput("ready\r\n");
      typist.leave();
      typist.type("one\ntwo\n");
      typist.read();
      typist.awaitOutput("got one\r\ngot two\r\n");
      typist.type("three\n");
      typist.awaitOutput("got three\r\n");
      assertEquals(137, task.end());
    }
  }

  @Test
  void theEndOfStdinHangsTheTerminalUp() {
    Differential.same(shim -> {
      try (var task = open(shim, "sh", "-c", "stty -echo; echo ready; cat; exit 9"); var typist = typist(task, "")) {
        task.create(typist::on);
        task.start();
        typist.awaitOutput("ready\r\n");
        task.closeIo("");
        return task.await("").getExitStatus() + " " + task.delete("").getExitStatus();
      }
    });
  }

  @Test
  void anExecHasATerminalOfItsOwn() {
    Differential.same(shim -> {
      var seen = new ArrayList<String>();
      try (var task = open(shim, "sleep", "1000"); var init = typist(task, "");
          var typist = typist(task, "e")) {
        task.create(init::on);
        task.start();
        task.exec("e", request -> on(request, typist), "sh", "-c", "stty -echo; echo ready; read a; stty size; exit 3");
        seen.add(failure(() -> task.resize("e", 10, 11)));
        task.start("e");
        typist.awaitOutput("ready\r\n");
        task.resize("e", 77, 33);
        typist.type("\n");
        seen.add("" + task.await("e").getExitStatus());
        seen.add(typist.rest());
        seen.add(failure(() -> task.resize("e", 10, 11)));
        task.delete("e");
        seen.add("" + task.end());
        return seen;
      }
    });
  }

  @Test
  void aProcessThatStaysInTheBackgroundHoldsNothingUp() {
    try (var task = open(SHIM, "sleep", "1000"); var init = typist(task, ""); var typist = typist(task, "e")) {
      task.create(init::on);
      task.start();
      task.exec("e", request -> on(request, typist), "sh", "-c", "trap '' HUP; sleep 1000 & echo gone");
      task.start("e");
      assertEquals(0, task.await("e").getExitStatus());
      assertEquals("gone\r\n", typist.rest());
      task.delete("e");
      assertEquals(137, task.end());
    }
  }

  @Test
  void withoutATerminalAResizeDoesNothing() {
    Differential.same(shim -> {
      try (var task = BED.shims().start(shim, BED.shims().bundle(Names.id("none"), "sleep", "1000"))) {
        task.create();
        task.start();
        return failure(() -> task.resize("", 80, 25)) + failure(() -> task.resize("nobody", 80, 25));
      }
    });
  }

  @Test
  void whatCannotBeStartedSaysSoAndLeavesNothing() {
    Differential.same(shim -> {
      var seen = new ArrayList<String>();
      try (var task = open(shim, "/no/such/program"); var typist = typist(task, "")) {
        seen.add(Differential.plain(failure(() -> task.create(typist::on)), task.id()));
      }
      try (var task = open(shim, "sleep", "1000"); var init = typist(task, ""); var typist = typist(task, "e")) {
        task.create(init::on);
        task.start();
        task.exec("e", request -> on(request, typist), "/no/such/program");
        seen.add(Differential.plain(failure(() -> task.start("e")), task.id()));
      }
      return seen;
    });
  }

  @Test
  void aFifoThatIsNotThereIsNamed() {
    // the Go shim says the same words, but finds out when the container exists already, and leaves that behind
    Shim.assumeOurs("the Go shim leaves the container behind");
    try (var task = open(SHIM, "sleep", "1000"); var typist = typist(task, "")) {
      assertEquals("2 failed to start console copy: stat : no such file or directory",
          failure(() -> task.create(request -> request.setTerminal(true))));
      assertEquals("2 failed to start console copy: stat /no/such/fifo: no such file or directory",
          failure(() -> task.create(request -> request.setTerminal(true).setStdout("/no/such/fifo"))));
      assertEquals("2 failed to open stdin fifo /no/such/fifo: stat /no/such/fifo: no such file or directory",
          failure(() -> task.create(request -> typist.on(request).setStdin("/no/such/fifo"))));
    }
  }

  @Test
  void ctrExecWithATerminalShowsWhatATerminalShows() {
    Differential.same(shim -> {
      String id = Names.id("exec");
      BED.ctr().detached(shim, id, "sleep", "1000");
      try {
        var result = BED.ctr().startOnTerminal("task", "exec", "--tty", "--fifo-dir",
            BED.directory().resolve("fifo").toString(), "--exec-id", "e", id, "sh", "-c",
            "sleep 1; tty; exit 3") // ctr tells the size just after the start
            .await(Ctr.LIMIT);
        return result.exit() + " " + result.text() + result.errors();
      } finally {
        BED.ctr().end(id);
      }
    });
  }

  @Test
  void ctrAttachesToATerminalThatWasLeft() {
    Differential.same(shim -> {
      String id = Names.id("attach");
      BED.ctr().startOnTerminal(shim, List.of("--detach"), id, "sh", "-c",
          "stty -echo; while read line; do echo got $line; test $line != end || exit 6; done").await(Ctr.LIMIT).ok();
      var attached = BED.ctr().startOnTerminal("task", "attach", id);
      attached.type("one\n");
      Await.until("an answer", () -> inner(attached.output()).contains("got one\r\n"));
      attached.type("end\n");
      var result = attached.await(Ctr.LIMIT);
      Await.status(BED.ctr(), id, "none"); // ctr deletes the task that it was attached to
      BED.ctr().deleteContainer(id).ok();
      return result.exit() + " " + inner(result.text()).contains("got one\r\ngot end\r\n");
    });
  }
}
