package io.loomshim.ttrpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.Empty;
import io.loomshim.log.Log;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who is served: programs of other users, which get as far as the socket. */
@Timeout(120)
class CredentialsTest {
  private static final String CLASS_FILE = "io/loomshim/ttrpc/ForeignPeer.class";

  private final List<String> log = new CopyOnWriteArrayList<>();
  private Stand stand;
  private Path classFile;

  @BeforeEach
  void open() throws Exception {
    assumeTrue(Files.getOwner(Path.of("/proc/self")).getName().equals("root"), "only root can become somebody else");
    stand = new Stand();
    Log.to((id, line) -> log.add(new String(line, StandardCharsets.UTF_8)));
    // somebody else must get as far as connect(2)
    Files.setPosixFilePermissions(stand.directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.setPosixFilePermissions(stand.socket, PosixFilePermissions.fromString("rwxrwxrwx"));
    classFile = stand.directory.resolve(CLASS_FILE);
    Files.createDirectories(classFile.getParent());
    try (InputStream in = CredentialsTest.class.getClassLoader().getResourceAsStream(CLASS_FILE)) {
      Files.copy(in, classFile);
    }
  }

  @AfterEach
  void close() throws Exception {
    if (stand == null) {
      return;
    }
    Log.to((id, line) -> System.err.write(line, 0, line.length));
    for (Path path = classFile; !path.equals(stand.directory); path = path.getParent()) {
      Files.delete(path);
    }
    stand.close();
  }

  private String connectAs(String... ids) throws Exception {
    byte[] frame = Frame.request(Stand.SERVICE, "Nothing", Empty.getDefaultInstance(), 0, Stand.NO_METADATA);
    Frame.number(frame, 1);
    List<String> command = new ArrayList<>(List.of("setpriv"));
    command.addAll(List.of(ids));
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    command.addAll(List.of(java, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", stand.directory.toString(),
        "io.loomshim.ttrpc.ForeignPeer", stand.socket.toString(), HexFormat.of().formatHex(frame)));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    return output;
  }

  private void assertRefused(String... ids) throws Exception {
    assertEquals("closed", connectAs(ids));
    assertEquals(1, log.size(), log.toString());
    assertTrue(log.get(0).contains("invalid credentials: operation not permitted"), log.toString());
    stand.assertServes();
  }

  @Test
  void ourOwnUserAndGroupAreServed() throws Exception {
    assertEquals("answered", connectAs("--reuid", "0", "--regid", "0", "--clear-groups"));
    assertEquals(List.of(), log);
  }

  @Test
  void anotherUserIsRefusedWithOneLineOfLog() throws Exception {
    assertRefused("--reuid", "65534", "--regid", "65534", "--clear-groups");
  }

  @Test
  void ourUserWithAnotherGroupIsRefused() throws Exception {
    assertRefused("--reuid", "0", "--regid", "65534", "--clear-groups");
  }

  @Test
  void anotherUserWithOurGroupIsRefused() throws Exception {
    assertRefused("--reuid", "65534", "--regid", "0", "--clear-groups");
  }

  @Test
  void numbersWithoutANameAreTheirOwn() throws Exception {
    assertRefused("--reuid", "54321", "--regid", "54321", "--clear-groups");
    assertTrue(log.get(0).contains("54321:54321"), log.toString());
  }
}
