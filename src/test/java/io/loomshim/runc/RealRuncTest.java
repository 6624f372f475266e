package io.loomshim.runc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The installed runc, asked for containers that do not exist. */
@Timeout(60)
class RealRuncTest {
  @TempDir Path dir;
  private CommandRunner runc;

  @BeforeEach
  void runcWithAStateOfItsOwn() {
    var settings = new RuncSettings("", dir.resolve("root"), dir.resolve("log.json"), Optional.empty(), false);
    runc = new CommandRunner(settings, dir, RuncLimits.DEFAULT, System.getenv(), new RuncCalls());
  }

  @Test
  void anUnknownContainerIsReportedInTheWordsOfTheLog() {
    var e = assertThrows(RuncException.class, () -> runc.run(new RuncCommand.Start("nope")));
    assertEquals("OCI runtime start failed: container does not exist", e.logged("OCI runtime start failed"));
    assertEquals("runc did not terminate successfully: container does not exist", e.text());
  }

  @Test
  void killAndPsAndDeleteOfAnUnknownContainerFail() {
    var e = assertThrows(RuncException.class, () -> runc.run(new RuncCommand.Kill("nope", 15, false)));
    assertTrue(e.text().contains("does not exist"), e.text());
    e = assertThrows(RuncException.class, () -> runc.run(new RuncCommand.Ps("nope")));
    assertTrue(e.text().contains("does not exist"), e.text());
    e = assertThrows(RuncException.class, () -> runc.run(new RuncCommand.Delete("nope", false)));
    assertTrue(e.text().contains("does not exist"), e.text());
  }

  @Test
  void forcedDeleteOfAnUnknownContainerSucceeds() throws Exception {
    assertEquals("", runc.run(new RuncCommand.Delete("nope", true)));
  }

  @Test
  void createWithoutAConfigurationFailsInTheWordsOfTheLog() {
    var create = new RuncCommand.Create("nope", dir, dir.resolve("init.pid"), Optional.empty(), false, false,
        () -> {});
    var e = assertThrows(RuncException.class, () -> runc.runSilent(create));
    assertEquals("runc did not terminate successfully: exit status 1", e.text());
    assertTrue(e.logged("OCI runtime create failed").contains("JSON specification file config.json not found"),
        e.logged("OCI runtime create failed"));
  }

  @Test
  void everyFailureOfOneContainerHasItsOwnEntry() throws Exception {
    assertThrows(RuncException.class, () -> runc.run(new RuncCommand.Start("nope")));
    long size = Files.size(dir.resolve("log.json"));
    var e = assertThrows(RuncException.class, () -> runc.run(new RuncCommand.Start("../bad")));
    assertTrue(Files.size(dir.resolve("log.json")) > size);
    assertTrue(e.logged("P").contains("invalid container ID format"), e.logged("P"));
  }
}
