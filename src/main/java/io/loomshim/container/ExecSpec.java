package io.loomshim.container;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.json.Json;
import io.loomshim.stdio.StdioPaths;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a client asks for when it adds a process to a container.
 *
 * @param id unique within the container
 * @param stdio its streams
 * @param process the process object of the OCI runtime spec, as JSON
 */
public record ExecSpec(String id, StdioPaths stdio, String process) {
  /**
   * The process object for runc. All that the client wrote stays as it is, except that the request decides about the
   * terminal.
   *
   * @throws StatusException INVALID_ARGUMENT when it is no JSON object
   */
  String processWithTerminal() {
    try {
      Map<String, Object> object =
          Json.object(Json.read(process))
              .orElseThrow(() -> new IOException("not a JSON object"));
      var copy = new LinkedHashMap<>(object);
      copy.remove("terminal");
      if (stdio.terminal()) {
        copy.put("terminal", true);
      }
      return Json.write(copy);
    } catch (IOException e) {
      String text = "spec of exec " + id + " cannot be read: " + e.getMessage() + ": invalid argument";
      throw new StatusException(Code.INVALID_ARGUMENT, text, e);
    }
  }
}
