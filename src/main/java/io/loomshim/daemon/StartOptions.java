package io.loomshim.daemon;

import com.google.protobuf.Any;
import io.loomshim.proto.bootstrap.BootstrapParams;
import io.loomshim.proto.bootstrap.Extension;
import io.loomshim.proto.runc.Options;
import io.loomshim.task.RuntimeOptions;
import io.loomshim.ttrpc.StatusException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Tells the launcher, in lines {@code name=value}, what matters to {@code start} in the options that containerd
 * wrote to its stdin. Bytes that mean nothing to us mean no options.
 */
public final class StartOptions {
  private StartOptions() {}

  /** {@code args[0]} names a file with the bytes. */
  public static void main(String[] args) throws IOException {
    Options options = decode(Files.readAllBytes(Path.of(args[0])));
    System.out.println("shim_cgroup=" + oneLine(options.getShimCgroup()));
    System.out.println("binary_name=" + oneLine(options.getBinaryName()));
  }

  /** An Any with options, or BootstrapParams, which read as an Any have a container's id for a type. */
  static Options decode(byte[] bytes) {
    try {
      return RuntimeOptions.decode(Any.parseFrom(bytes));
    } catch (IOException | StatusException e) {
      return fromExtensions(bytes);
    }
  }

  private static Options fromExtensions(byte[] bytes) {
    try {
      for (Extension extension : BootstrapParams.parseFrom(bytes).getExtensionsList()) {
        if (RuntimeOptions.knows(extension.getValue().getTypeUrl())) {
          return RuntimeOptions.decode(extension.getValue());
        }
      }
    } catch (IOException | StatusException e) {
      // not that either
    }
    return Options.getDefaultInstance();
  }

  private static String oneLine(String value) {
    return value.indexOf('\n') < 0 ? value : "";
  }
}
