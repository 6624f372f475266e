package io.loomshim.runc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.proto.runc.Options;
import org.junit.jupiter.api.Test;

class OptionsJsonTest {
  @Test
  void defaultsGiveAnEmptyObject() {
    assertEquals("{}", OptionsJson.write(Options.getDefaultInstance()));
  }

  @Test
  void everyOptionHasTheNameOfItsField() {
    var options = Options.newBuilder().setNoPivotRoot(true).setNoNewKeyring(true).setShimCgroup("/s").setIoUid(-1)
        .setIoGid(7).setBinaryName("crun").setRoot("/r \"q\"").setCriuPath("/c").setSystemdCgroup(true)
        .setCriuImagePath("/i").setCriuWorkPath("/w").setTaskApiAddress("a").setTaskApiVersion(3).build();
    assertEquals("{\"no_pivot_root\":true,\"no_new_keyring\":true,\"shim_cgroup\":\"/s\",\"io_uid\":4294967295,"
        + "\"io_gid\":7,\"binary_name\":\"crun\",\"root\":\"/r \\\"q\\\"\",\"criu_path\":\"/c\","
        + "\"systemd_cgroup\":true,\"criu_image_path\":\"/i\",\"criu_work_path\":\"/w\",\"task_api_address\":\"a\","
        + "\"task_api_version\":3}", OptionsJson.write(options));
  }
}
