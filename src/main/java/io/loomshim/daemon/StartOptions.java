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
 * Decodes the options that containerd wrote to the stdin of {@code start}, and prints those that the launcher needs as
 * lines {@code name=value}. Bytes that cannot be decoded count as no options.
 */
public final class StartOptions {
  private StartOptions() {}

  /**
   * Reads the bytes from the file {@code args[0]}.
   *
   * @throws IOException when the file cannot be read
   */
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
      // BootstrapParams parse as an Any as well, with the container's id as the type, but they have more fields
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
      // neither an Any nor BootstrapParams
    }
    return Any.getDefaultInstance();
  }

  private static String oneLine(String value) {
    return value.indexOf('\n') < 0 ? value : "";
  }
}
