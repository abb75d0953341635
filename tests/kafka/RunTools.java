import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's tools one after the other in one JVM: a line of JSON with class, words and stdin comes in, one with code,
 * stdout and stderr goes out. Where a tool would end the JVM its thread stands still for ever instead.
 */
public class RunTools {
    private static final SynchronousQueue<Integer> ENDED = new SynchronousQueue<>();
    private static final List<Runnable> HOOKS = new ArrayList<>();

    /** What a tool prints; who has kept the stream of an earlier run writes to the present one. */
    private static class Printed extends OutputStream {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        @Override
        public synchronized void write(int one) {
            bytes.write(one);
        }

        @Override
        public synchronized void write(byte[] some, int from, int count) {
            bytes.write(some, from, count);
        }

        synchronized String take() {
            String text = bytes.toString(StandardCharsets.UTF_8);
            bytes.reset();
            return text;
        }
    }

    private static void end(int code) {
        try {
            ENDED.put(code);
            while (true)
                Thread.sleep(Long.MAX_VALUE);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void run(String name, String[] words) {
        int code = 0;
        try {
            Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) words);
        } catch (Throwable e) {
            (e.getCause() == null ? e : e.getCause()).printStackTrace();
            code = 1;
        }
        end(code);
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream answers = System.out;
        BufferedReader wishes = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Printed out = new Printed();
        Printed err = new Printed();
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
        Exit.setExitProcedure((code, message) -> end(code));
        Exit.setHaltProcedure((code, message) -> end(code));
        Exit.setShutdownHookAdder((name, hook) -> HOOKS.add(hook));
        ObjectMapper json = new ObjectMapper();
        for (String line = wishes.readLine(); line != null; line = wishes.readLine()) {
            JsonNode wish = json.readTree(line);
            List<String> words = new ArrayList<>();
            wish.get("words").forEach(word -> words.add(word.asText()));
            System.setIn(new ByteArrayInputStream(wish.get("stdin").asText().getBytes(StandardCharsets.UTF_8)));
            Thread thread = new Thread(() -> run(wish.get("class").asText(), words.toArray(new String[0])));
            thread.setDaemon(true);
            thread.start();
            Integer code = ENDED.poll(wish.get("patience").asInt(), TimeUnit.SECONDS);
            HOOKS.forEach(Runnable::run);
            HOOKS.clear();
            ObjectNode answer = json.createObjectNode();
            answer.put("code", code == null ? -1 : code);
            answer.put("stdout", out.take());
            answer.put("stderr", err.take());
            answers.println(answer);
        }
        System.exit(0);
    }
}
