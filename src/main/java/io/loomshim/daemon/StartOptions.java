package io.loomshim.daemon;

import com.google.protobuf.Any;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.bootstrap.BootstrapParams;
import io.loomshim.proto.bootstrap.Extension;
import io.loomshim.proto.runc.Options;
import io.loomshim.task.RuntimeOptions;
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
    Any any = options(Files.readAllBytes(Path.of(args[0])));
    Options options = decode(any);
    System.out.println("shim_cgroup=" + oneLine(options.getShimCgroup()));
    System.out.println("binary_name=" + oneLine(options.getBinaryName()));
    System.out.println("config_path=" + oneLine(RuntimeOptions.file(any)));
  }

  private static Options decode(Any any) {
    try {
      return RuntimeOptions.decode(any);
    } catch (StatusException e) {
      return Options.getDefaultInstance(); // Create will say what is wrong with them
    }
  }

  /** The options that {@code bytes} hold; an empty Any when they hold none. */
  static Any options(byte[] bytes) {
    try {
      Any any = Any.parseFrom(bytes);
      // BootstrapParams read as an Any too, with a container's id for a type, but there is more in them
      Any bare = Any.newBuilder().setTypeUrl(any.getTypeUrl()).setValue(any.getValue()).build();
      if (bare.getSerializedSize() == bytes.length) {
        return any;
      }
      for (Extension extension : BootstrapParams.parseFrom(bytes).getExtensionsList()) {
        if (RuntimeOptions.knows(extension.getValue().getTypeUrl())) {
          return extension.getValue();
        }
      }
    } catch (IOException e) {
      // neither
    }
    return Any.getDefaultInstance();
  }

  private static String oneLine(String value) {
    return value.indexOf('\n') < 0 ? value : "";
  }
}
