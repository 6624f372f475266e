package io.loomshim.runc;

import io.loomshim.json.Json;
import io.loomshim.proto.runc.Options;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The text of {@code options.json} in a bundle, which the {@code delete} action reads: the runtime options under the
 * names of the message's fields, without those that have their default.
 */
public final class OptionsJson {
  private OptionsJson() {}

  /** One line without a line feed; <code>{}</code> when every option has its default. */
  public static String write(Options options) {
    var json = new LinkedHashMap<String, Object>();
    put(json, "no_pivot_root", options.getNoPivotRoot());
    put(json, "no_new_keyring", options.getNoNewKeyring());
    put(json, "shim_cgroup", options.getShimCgroup());
    put(json, "io_uid", options.getIoUid());
    put(json, "io_gid", options.getIoGid());
    put(json, "binary_name", options.getBinaryName());
    put(json, "root", options.getRoot());
    put(json, "criu_path", options.getCriuPath());
    put(json, "systemd_cgroup", options.getSystemdCgroup());
    put(json, "criu_image_path", options.getCriuImagePath());
    put(json, "criu_work_path", options.getCriuWorkPath());
    put(json, "task_api_address", options.getTaskApiAddress());
    put(json, "task_api_version", options.getTaskApiVersion());
    return Json.write(json);
  }

  private static void put(Map<String, Object> json, String name, String value) {
    if (!value.isEmpty()) {
      json.put(name, value);
    }
  }

  private static void put(Map<String, Object> json, String name, boolean value) {
    if (value) {
      json.put(name, true);
    }
  }

  /** {@code value} is an unsigned 32-bit number. */
  private static void put(Map<String, Object> json, String name, int value) {
    if (value != 0) {
      json.put(name, Integer.toUnsignedLong(value));
    }
  }
}
