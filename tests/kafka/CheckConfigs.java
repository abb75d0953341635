import java.util.Properties;
import kafka.server.KafkaConfig;
import org.apache.kafka.common.utils.Utils;

/** Says of each file of settings, a line each, whether Kafka takes it: "sound", or why not. */
public class CheckConfigs {
    public static void main(String[] arguments) throws Exception {
        for (String file : arguments) {
            Properties properties = Utils.loadProps(file);
            try {
                new KafkaConfig(properties, false);
                System.out.println("sound");
            } catch (Exception e) {
                System.out.println(("refused: " + e.getMessage()).replace('\n', ' '));
            }
        }
    }
}
