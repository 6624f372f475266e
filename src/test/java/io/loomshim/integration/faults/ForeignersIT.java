package io.loomshim.integration.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.MessageLite;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Shims;
import io.loomshim.integration.harness.Vitals;
import io.loomshim.proto.runc.Options;
import io.loomshim.proto.task.CreateTaskRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Who may speak to a daemon, and what names and files it takes from those who may. */
@Timeout(120)
final class ForeignersIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final int NOT_FOUND = 5;
  private static final int INVALID_ARGUMENT = 3;
  /** What somebody who may not connect is told by the kernel; what one gets whom the daemon turns away. */
  private static final String DENIED = "connect: Permission denied";
  private static final String CLOSED = "closed";

  /** Says how far it gets: perl is part of every Debian. */
  private static final String CONNECT = "use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0) or die 'socket';"
      + "connect(S, sockaddr_un($ARGV[0])) or do { print \"connect: $!\"; exit };"
      + "$SIG{PIPE} = 'IGNORE'; syswrite(S, pack('NNCC', 0, 1, 1, 0));"
      + "my $n = sysread(S, my $reply, 10); print $n ? 'answered' : 'closed';";

  private ShimClient healthy;
  private long daemon;
  private Vitals before;

  @BeforeEach
  void begin() {
    Shim.assumeOurs("it is about our daemon");
    healthy = BED.shims().start(Shim.tested(), BED.shims().bundle(Names.id("healthy"), "sleep", "100000"));
    healthy.create();
    healthy.start();
    daemon = healthy.connect().getShimPid();
    before = Vitals.of(daemon);
  }

  @AfterEach
  void theDaemonIsAsBefore() {
    if (healthy != null) {
      assertEquals("RUNNING", healthy.state("").getStatus().toString());
      before.assertKept();
      healthy.close();
    }
  }

  private static String connectAs(String uid, String gid, Path socket) {
    return Exec.start(BED.directory(), new Exec.Setting(Path.of("/"), Map.of()), List.of("setpriv", "--reuid", uid,
        "--regid", gid, "--clear-groups", "perl", "-e", CONNECT, socket.toString())).await(Ctr.LIMIT).ok().text();
  }

  @Test
  void nobodyButRootGetsPastTheDirectoryTheSocketAndTheDaemon() throws IOException {
    Path socket = healthy.socket();
    assertEquals("answered", connectAs("0", "0", socket));
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(socket.getParent())));
    assertEquals(DENIED, connectAs("65534", "65534", socket));
    // the socket itself in a place that is open to all, as if somebody had bound it into a container
    Path open = Files.createTempDirectory("loomshim-bind");
    Path bound = Files.createFile(open.resolve("s"));
    var scratch = new Exec.Setting(BED.directory(), Map.of());
    try {
      Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
      Exec.start(BED.directory(), scratch, List.of("mount", "--bind", socket.toString(), bound.toString()))
          .await(Ctr.LIMIT).ok();
      assertEquals("answered", connectAs("0", "0", bound));
      assertEquals(DENIED, connectAs("65534", "65534", bound));
      // and even if its owner opens it to all
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rwxrwxrwx"));
      assertEquals(CLOSED, connectAs("65534", "65534", bound));
      assertEquals(CLOSED, connectAs("65534", "0", bound));
      assertEquals(CLOSED, connectAs("0", "65534", bound));
    } finally {
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rwxr-xr-x"));
      Exec.start(BED.directory(), scratch, List.of("umount", bound.toString())).await(Ctr.LIMIT);
      Files.delete(bound);
      Files.delete(open);
    }
  }

  private static List<String> hostileNames() {
    return List.of("", ".", "..", "../x", "a/../../b", "/etc", "-rf", "a b", "a\nb", "a\0b", "a%2fb", "ä", "a..b",
        "x".repeat(4096), "$(reboot)", "*");
  }

  @Test
  void noHostileIdNamesAnythingInAnyMethod() throws IOException {
    var files = listing();
    int calls = 0;
    try (var peer = RawPeer.connect(healthy.socket())) {
      for (String name : hostileNames()) {
        for (Map.Entry<String, MessageLite> method : Requests.of(name, "e").entrySet()) {
          peer.send(method.getKey(), method.getValue());
          int code = peer.code();
          calls++;
          boolean right = Requests.FOR_ANYBODY.contains(method.getKey()) ? code == 0
              : code == (method.getKey().equals("Create") ? INVALID_ARGUMENT : NOT_FOUND);
          assertTrue(right, method.getKey() + " of \"" + name + "\" was answered " + code);
        }
        if (!name.isEmpty()) {
          peer.send("Exec", Requests.of(healthy.id(), name).get("Exec"));
          assertEquals(INVALID_ARGUMENT, peer.code(), name);
          peer.send("Kill", Requests.of(healthy.id(), name).get("Kill"));
          assertEquals(NOT_FOUND, peer.code(), name);
          calls += 2;
        }
      }
    }
    assertEquals(16 * 17 + 15 * 2, calls);
    Await.until("nothing has come and nothing has gone", () -> listing().equals(files));
  }

  /** What the run directory and the bundles hold. */
  private static List<String> listing() {
    try (var paths = Files.walk(Scratch.BASE, 3)) {
      return paths.filter(p -> !p.getFileName().toString().matches("(out|err).*|.*\\.log")).map(Path::toString)
          .filter(p -> !p.contains("/bed")).sorted().toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of(e.toString()); // something has gone meanwhile
    }
  }

  @Test
  void hostilePathsAreRefusedAndLeaveNothing() {
    var paths = List.of("/a\0b", "/a\nb", "/" + "x/".repeat(2047), "/" + "y".repeat(4096), "/nonexistent/../nor/this",
        "file://", "binary:///nonexistent/logger", "/proc/self/mem/x", "\0");
    int refused = 0;
    for (String path : paths) {
      refused += refused(r -> r.setBundle(path)) + refused(r -> r.setStdout(path)) + refused(r -> r.setStderr(path))
          + refused(r -> r.setStdin(path)) + refused(r -> r.setTerminal(true).setStdout(path))
          + refused(r -> r.setCheckpoint(path)) + refused(r -> r.setOptions(options(o -> o.setBinaryName(path))))
          + refused(r -> r.setOptions(options(o -> o.setRoot(path))));
    }
    assertTrue(refused >= paths.size() * 6, refused + " were refused");
  }

  private static Any options(Consumer<Options.Builder> change) {
    var options = Options.newBuilder();
    change.accept(options);
    return Shims.any("containerd.runc.v1.Options", options.build());
  }

  /** Whether Create is refused with a code of the caller's fault or an error of the path; whatever it is, it ends. */
  private int refused(Consumer<CreateTaskRequest.Builder> change) {
    var bundle = BED.shims().bundle(Names.id("path"), "true");
    try (var task = BED.shims().start(Shim.tested(), bundle)) {
      String seen = ShimClient.failure(() -> task.create(request -> {
        change.accept(request);
        return request;
      }));
      assertTrue(!seen.startsWith("13 "), seen); // no defect of ours
      if (!seen.startsWith("no error")) {
        return 1;
      }
      task.delete(""); // one that would be restored never ends by itself
      return 0;
    }
  }

  @Test
  void brokenFilesOfABundleAreToldByCreateAndHarmNoDelete() throws IOException {
    var broken = new ArrayList<>(List.of("", "[", "{\"process\":", "null", "[".repeat(100_000), "\u0000\u0001",
        "{\"linux\":7}", "{\"ociVersion\":1e999999999}",
        "{\"process\":{\"args\":[" + "\"a\",".repeat(100_000) + "\"a\"]}}"));
    for (String config : broken) {
      for (String file : List.of("config.json", "options.json", "runtime", "loom.runc", "init.pid", "loom.run")) {
        var bundle = BED.shims().bundle(Names.id("broken"), "true");
        var task = BED.shims().start(Shim.tested(), bundle);
        try (task) {
          if (file.equals("config.json")) {
            Files.writeString(bundle.path().resolve(file), config);
            String seen = ShimClient.failure(() -> task.create());
            assertTrue(seen.startsWith("2 OCI runtime create failed"), seen);
          }
          Files.writeString(bundle.path().resolve(file), config);
          var delete = BED.shims().delete(Shim.tested(), bundle);
          assertEquals(0, delete.exit(), () -> file + ": " + delete);
          // where delete cannot know where the lease is, the lease ends by its age (LingerTest)
          Files.deleteIfExists(task.socket().resolveSibling("leases").resolve(bundle.id()));
        }
      }
    }
  }

  @Test
  void whatTheShimKeepsInABundleBelongsToRootAndNobodyElseMayWriteIt() throws IOException {
    // the bundle belongs to root; what a container can write is its root file system, and nothing of ours is in it
    var bundle = BED.shims().bundle(Names.id("links"), "sleep", "1000");
    try (var task = BED.shims().start(Shim.tested(), bundle)) {
      task.create();
      for (String file : List.of("options.json", "runtime", "loom.runc", "init.pid", "log.json")) {
        Path path = bundle.path().resolve(file);
        assertTrue(Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS), file);
        assertEquals("root", Files.getOwner(path).getName());
        String others = PosixFilePermissions.toString(Files.getPosixFilePermissions(path)).substring(3);
        assertTrue(!others.contains("w"), file);
      }
    }
  }
}
